/** Per file, and for what one renderer prints. kubectl has no limit; a manifest of this size is a mistake or an attack. */
export const MAX_FILE_BYTES = 10 * 1024 * 1024
/** All files of a release together. */
export const MAX_TOTAL_BYTES = 64 * 1024 * 1024
