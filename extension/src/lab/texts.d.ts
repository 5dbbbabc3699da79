// Style sheets and pictures come into the bundle as text; build.mjs does it.

declare module "*.css" {
  const text: string;
  export default text;
}

declare module "*.svg" {
  const text: string;
  export default text;
}
