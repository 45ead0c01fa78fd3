import { defineConfig } from "vite";

// On a laptop page and API are one origin, as behind CloudFront: the server that Vite starts passes on what is the API's.
export default defineConfig({
  server: { port: 4000, strictPort: true, proxy: { "^/(auth/|movies$)": "http://localhost:3000" } },
});
