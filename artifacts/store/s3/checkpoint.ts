import { checkedName } from '../names.ts';
import { sealBytes, unsealBytes } from '../seal.ts';
import type { Checkpoint } from '../store.ts';
import type { Bucket } from './bucket.ts';

/** A checkpoint as objects below `checkpoints/<key>/`, with the bytes that files in a folder store would have. */
export function objectCheckpoint(bucket: Bucket, key: string): Checkpoint {
  const folder = `checkpoints/${checkedName('step key', key)}`;
  const nameOf = (name: string): string => `${folder}/${checkedName('checkpoint name', name)}`;
  const about = (name: string): string => `${key}/${name}`;
  return {
    async list() {
      return (await bucket.partsOf(folder)).filter((name) => !name.startsWith('.')).sort();
    },
    async read(name) {
      const found = await bucket.get(nameOf(name));
      return found && unsealBytes(found.bytes, about(name));
    },
    async write(name, bytes) {
      await bucket.put(nameOf(name), sealBytes(bytes, about(name)));
    },
    remove: async (name) => bucket.remove(nameOf(name)),
    async clear() {
      for (const name of await bucket.names(folder)) await bucket.remove(name);
    },
  };
}
