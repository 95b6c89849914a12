/**
 * Options of Node for the processes that Epochal forks: files in TypeScript without a word about it, and no debugger that listens on a port
 * after SIGUSR1, the usual warning of a batch system. Nodes too old for the second option are told by their own listeners.
 */
export const nodeFlags: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  ...(process.allowedNodeEnvironmentFlags.has('--disable-sigusr1') ? ['--disable-sigusr1'] : []),
  ...process.execArgv.filter((flag) => flag === '--experimental-strip-types'),
];
