/** The API's own document, to read and to try out, without a request to any third party. */
import "swagger-ui-dist/swagger-ui.css";
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

SwaggerUI({
  dom_id: "#api",
  url: "/openapi.json",
  deepLinking: true,
  docExpansion: "none",
  validatorUrl: null,
});
