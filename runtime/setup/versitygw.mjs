import { existsSync } from 'node:fs';
import path from 'node:path';
import { say } from './command.mjs';
import { buildGoProgram } from './go-program.mjs';
import { installed, installOnce } from './install-once.mjs';
import { cacheFolder } from './places.mjs';
import { addToStamp, readStamp } from './stamp.mjs';

const VERSION = '1.8.0';

/**
 * The S3 server over a folder, against which stores in S3 are tested; nothing else needs it. It is built, since it is published as source: where there
 * is no Go, that is said, and those tests are skipped. Looked for anew at each set-up for tests until it is there.
 */
export const versitygw = {
  name: 'S3 server for tests',
  does: `building the S3 server versitygw ${VERSION} for tests`,
  isDone: () => {
    const { versitygw: known } = readStamp();
    return known !== undefined && known.version === VERSION && existsSync(known.program);
  },
  run: async () => {
    const folder = path.join(cacheFolder(), `versitygw-${VERSION}`);
    try {
      if (installed(folder) === undefined) await installOnce(folder, build);
    } catch (error) {
      say(`set-up: no S3 server, so tests of stores in S3 are skipped. ${error.message}`);
      say('  Install Go 1.25 or newer (go.dev/dl), and run this again.');
      return;
    }
    addToStamp({ versitygw: { program: path.join(folder, 'versitygw'), version: VERSION } });
  },
};

async function build(folder) {
  await buildGoProgram({
    name: 'versitygw',
    program: 'github.com/versity/versitygw/cmd/versitygw',
    target: path.join(folder, 'versitygw'),
    label: `building versitygw ${VERSION} with Go (about 3 minutes on two cores)`,
  });
  return { version: VERSION };
}
