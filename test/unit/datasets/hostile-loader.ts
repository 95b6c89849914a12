/** Loads one data set after another and tells of each how that ended and by how many megabytes this process has grown. */
import { loadDataset } from '../../../datasets/index.ts';
import type { DatasetSpec } from '../../../datasets/kind.ts';

const megabytes = () => process.resourceUsage().maxRSS / 1024;
const ends: unknown[] = [];
for (const spec of JSON.parse(process.argv[2]!) as DatasetSpec[]) {
  const before = megabytes();
  const end = await loadDataset(spec, '/').then(
    () => ({ name: 'none', message: `${spec.name} was loaded` }),
    ({ name, message }: Error) => ({ name, message }),
  );
  ends.push({ ...end, megabytes: megabytes() - before });
}
console.log(JSON.stringify(ends));
