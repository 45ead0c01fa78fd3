/** The URL of a file beside the bundle (made by assets.ts). */
declare module "data-file:*" {
  const url: URL;
  export default url;
}

/** The text of a file as a browser is to get it, by its path from the importing file (made by assets.ts). */
declare module "static:*" {
  const text: string;
  export default text;
}
