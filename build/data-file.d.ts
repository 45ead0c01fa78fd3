/** The URL of a text file beside the bundle (made by data-files.ts). */
declare module "data-file:*" {
  const url: URL;
  export default url;
}
