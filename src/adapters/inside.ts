import { isAbsolute, relative, sep } from 'node:path'

/** Whether a path is a folder or in it. Both are absolute; links are the caller's to resolve before. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}
