/** What the scripts ask of studies: that they end well, and the digests of what they have made. */
import { epochal, type Finished } from '../e2e/epochal.ts';

const startedAt = performance.now();

/** Seconds since the script began. */
export function seconds(): number {
  return (performance.now() - startedAt) / 1000;
}

export function say(line: string): void {
  console.log(`${seconds().toFixed(0).padStart(4)} s  ${line}`);
}

/** Throws with all that a command has said, unless it has ended well. */
export function mustEndWell({ code, stdout, stderr }: Finished): void {
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}\n${stderr}`);
}

/** Digest of each artifact of the last study in a store, by cell, stage and output. */
export async function digestsIn(
  store: string,
  home: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<string[]> {
  const listed = await epochal(['artifacts', '--json', '--store', store], home, environment);
  mustEndWell(listed);
  const { artifacts } = JSON.parse(listed.stdout) as {
    artifacts: readonly { cell: string; stage: string; output: string; sha256: string }[];
  };
  return artifacts.map(({ cell, stage, output, sha256 }) => `${cell} ${stage}.${output} ${sha256}`).sort();
}
