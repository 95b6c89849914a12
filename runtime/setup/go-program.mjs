import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './command.mjs';

const locked = path.join(path.dirname(fileURLToPath(import.meta.url)), 'go');

/**
 * Builds a program with Go. `go/NAME/go.mod` names the modules, all of them, and `go.sum` has the SHA-256 of each: Go refuses others. (`go install
 * MODULE@VERSION` would look at no go.sum, and ask a server instead.) Nothing else is fetched, no other Go either.
 *
 * @param {{ name: string, program: string, target: string, label: string }} options `program`: its path as Go imports it. `target`: the file that is made.
 */
export async function buildGoProgram({ name, program, target, label }) {
  const folder = `${target}-build`;
  const gopath = path.join(folder, 'go');
  mkdirSync(folder, { recursive: true });
  for (const file of ['go.mod', 'go.sum'])
    copyFileSync(path.join(locked, name, file), path.join(folder, file));
  // Where Go is installed by its own instructions, which leave the PATH to the user.
  const search = [process.env.PATH, '/usr/local/go/bin'].filter(Boolean).join(path.delimiter);
  await runCommand('go', ['build', '-o', target, program], {
    cwd: folder,
    env: {
      ...process.env,
      ...{ PATH: search, GOPATH: gopath, GOMODCACHE: path.join(gopath, 'pkg', 'mod') },
      ...{ GOFLAGS: '-modcacherw -mod=readonly -buildvcs=false', GOTOOLCHAIN: 'local', GOWORK: 'off' },
    },
    label,
  });
  rmSync(folder, { recursive: true, force: true });
}
