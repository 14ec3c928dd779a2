/** Vite serves such a file as a separate asset; the import is its address. */
declare module "*?url" {
  const url: string;
  export default url;
}
