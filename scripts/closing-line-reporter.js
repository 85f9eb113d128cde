/** Ends a run of all tests with one plain line that counts them, for people and for servers that read it. */
export default class ClosingLineReporter {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, testResults }) {
    // A file that cannot even be loaded has no tests to count, and is a failure all the same.
    const broken = testResults.filter(
      ({ testExecError }) => testExecError !== undefined && testExecError !== null,
    ).length
    // At the very end: jest adds a summary of its own after its reporters.
    process.on('exit', () => console.log(`${numPassedTests} passed, ${numFailedTests + broken} failed`))
  }
}
