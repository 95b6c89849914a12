/** Hosts of the script: network namespaces of this machine, each with an address of its own, joined by a bridge. */
import { execFileSync, spawnSync } from 'node:child_process';

/** A host on which commands can be run. */
export interface Host {
  readonly name: string;
  /** What to put before a command, so that it runs there. */
  readonly within: readonly string[];
  /** Takes it from the network, or puts it back. */
  connect(isConnected: boolean): void;
}

export interface Hosts {
  /** The address of this machine that all of them reach. */
  readonly address: string;
  readonly all: readonly Host[];
  remove(): void;
}

const bridge = 'epochal0';
const network = (n: number): string => `10.77.0.${n}`;

/** Makes so many hosts. Where that may not be (it needs root and iproute2), all are this machine itself, which is said. */
export function makeHosts(count: number): Hosts {
  const ip = (...words: string[]): void => void execFileSync('ip', words, { stdio: 'pipe' });
  const names = Array.from({ length: count }, (_, index) => `epochal${index + 1}`);
  const remove = (): void => {
    for (const name of names) spawnSync('ip', ['netns', 'delete', name]);
    spawnSync('ip', ['link', 'delete', bridge]);
  };
  remove();
  try {
    ip('link', 'add', bridge, 'type', 'bridge');
    ip('address', 'add', `${network(1)}/24`, 'dev', bridge);
    ip('link', 'set', bridge, 'up');
    for (const [index, name] of names.entries()) {
      const [outer, inner] = [`${name}o`, `${name}i`];
      ip('netns', 'add', name);
      ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner);
      ip('link', 'set', inner, 'netns', name);
      ip('link', 'set', outer, 'master', bridge);
      ip('link', 'set', outer, 'up');
      ip('-n', name, 'address', 'add', `${network(index + 2)}/24`, 'dev', inner);
      ip('-n', name, 'link', 'set', inner, 'up');
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
  } catch (error) {
    remove();
    console.warn(
      `NOT on hosts of their own (${String(error).split('\n')[0]}): network namespaces need root and iproute2.`,
    );
    const all = names.map((name) => ({ name, within: [], connect: () => undefined }));
    return { address: '127.0.0.1', all, remove: () => undefined };
  }
  const all = names.map((name) => ({
    name,
    within: ['ip', 'netns', 'exec', name],
    connect: (isConnected: boolean) => ip('link', 'set', `${name}o`, isConnected ? 'up' : 'down'),
  }));
  return { address: network(1), all, remove };
}
