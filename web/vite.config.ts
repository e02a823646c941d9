import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const api = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/api": api, "/mobility": api, "/openapi.json": api, "/tiles": api } },
  build: {
    // The page is served with `default-src 'self'`: nothing may become a data: address.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      input: ["index.html", "docs/index.html"],
      output: {
        // Some servers do not know that .mjs is JavaScript, and a worker with another type is refused.
        assetFileNames: ({ names }) =>
          names[0]?.endsWith(".mjs") ? "assets/[name]-[hash].js" : "assets/[name]-[hash][extname]",
      },
    },
  },
});
