/** Express 4, whose types are near enough to those of Express 5 for what is used here. */
declare module "express-4" {
  import express from "express";
  export default express;
}
