/** Whether known vulnerabilities are in what runs, as npm's registry knows them. */
import { execFile } from 'node:child_process';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
/** A registry that has not answered by then counts as one that cannot be asked: the checks wait no longer. */
const patienceMs = 15_000;
/** npm itself, on a busy machine. */
const longestMs = 120_000;

export type AuditResult =
  | { readonly verdict: 'passed' }
  | { readonly verdict: 'failed' | 'not asked'; readonly why: string };

interface Vulnerability {
  readonly name: string;
  readonly severity: string;
  readonly range: string;
  readonly via: readonly (string | { readonly title: string; readonly url: string })[];
}

/**
 * Asks the registry (that of npm's settings, unless one is named) about the packages of the lock file that are no development dependencies. Failed are those of high or
 * critical severity. A registry that does not answer, or answers something else, is no failure of the project; `why` then says what it did.
 */
export async function auditPackages(registry?: string, { patience = patienceMs } = {}): Promise<AuditResult> {
  const words = ['audit', '--json', '--omit=dev', '--package-lock-only', '--fetch-retries=0'];
  const where = registry === undefined ? [] : [`--registry=${registry}`];
  const { stdout, stderr, timedOut } = await runNpm([
    ...words,
    `--fetch-timeout=${patience}`,
    '--loglevel=error',
    ...where,
  ]);
  if (timedOut) return { verdict: 'not asked', why: `npm did not end within ${longestMs / 1000} s` };
  const answer = parsed(stdout);
  const found = answer?.vulnerabilities;
  if (answer?.auditReportVersion === undefined || found === undefined)
    return {
      verdict: 'not asked',
      why: answer?.message ?? (stderr.trim().split('\n')[0] || 'it said nothing'),
    };
  const severe = Object.values(found).filter(({ severity }) => ['high', 'critical'].includes(severity));
  return severe.length === 0
    ? { verdict: 'passed' }
    : { verdict: 'failed', why: severe.map(told).join('\n') };
}

function told({ name, severity, range, via }: Vulnerability): string {
  const reasons = via.map((reason) =>
    typeof reason === 'string' ? `by ${reason}` : `${reason.title}, ${reason.url}`,
  );
  return `${name} ${range} (${severity}): ${reasons.join('; ')}`;
}

interface Answer {
  readonly auditReportVersion?: number;
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
  readonly message?: string;
}

function parsed(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

function runNpm(
  words: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string; readonly timedOut: boolean }> {
  return new Promise((resolve) => {
    execFile('npm', words, { cwd: root, maxBuffer: 1 << 26, timeout: longestMs }, (error, stdout, stderr) =>
      resolve({ stdout, stderr, timedOut: error?.killed === true }),
    );
  });
}
