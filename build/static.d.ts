/** The text of a file as a browser is to get it, by its path from the importing file (made by static-files.ts). */
declare module "static:*" {
  const text: string;
  export default text;
}
