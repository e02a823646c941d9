/** The bundle comes without types. */
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  type Options = {
    dom_id: string;
    url: string;
    deepLinking: boolean;
    docExpansion: "list" | "full" | "none";
    validatorUrl: null;
  };
  export default function SwaggerUI(options: Options): void;
}
