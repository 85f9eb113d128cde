/** The address of an API under that of its server, which may itself have a path. */
export function below(server: URL, path: string): URL {
  const url = new URL(server)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`
  return url
}
