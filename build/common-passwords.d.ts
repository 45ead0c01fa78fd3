/** The URL of a text file beside the bundle: common passwords, one a line, lower case (made by common-passwords-file.ts). */
declare module "common-passwords:file" {
  const url: URL;
  export default url;
}
