/** Rollsafe's version, as in package.json; `__tests__/version.test.ts` holds the two together. */
export const VERSION = '0.1.0'
