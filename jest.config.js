const swc = [
  '@swc/jest',
  { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
]

/** One project for each kind of test; only the last two need the testbed, which their globalSetup starts. */
const project = (displayName, testMatch, more = {}) => ({
  displayName,
  testMatch,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': swc },
  ...more,
})

export default {
  coverageProvider: 'v8',
  // Of the concurrent tests of a file. Those on the testbed mostly wait for controllers.
  maxConcurrency: 8,
  collectCoverageFrom: ['src/**/*.ts'],
  projects: [
    project('unit', ['<rootDir>/__tests__/**/*.test.ts'], {
      testPathIgnorePatterns: ['/node_modules/', '/__tests__/browser/', '/__tests__/cluster/', '/__tests__/action/'],
    }),
    project('browser', ['<rootDir>/__tests__/browser/**/*.test.ts']),
    project('cluster', ['<rootDir>/__tests__/cluster/**/*.test.ts'], {
      globalSetup: '<rootDir>/__tests__/cluster/global-setup.ts',
      globalTeardown: '<rootDir>/__tests__/cluster/global-teardown.ts',
    }),
    project('action', ['<rootDir>/__tests__/action/**/*.test.ts'], {
      globalSetup: '<rootDir>/__tests__/cluster/global-setup.ts',
      globalTeardown: '<rootDir>/__tests__/cluster/global-teardown.ts',
    }),
  ],
}
