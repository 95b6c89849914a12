import type { Checkpoint } from '../../../artifacts/store/store.ts';

/** The files of a checkpoint whose names begin with `scope`, as a checkpoint of its own, of one piece of the stage's work after another. */
export function scopedCheckpoint(checkpoint: Checkpoint, scope: string): Checkpoint {
  const prefix = `${scope}.`;
  const list = async () =>
    (await checkpoint.list())
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length));
  return {
    list,
    read: (name) => checkpoint.read(prefix + name),
    write: (name, bytes) => checkpoint.write(prefix + name, bytes),
    remove: (name) => checkpoint.remove(prefix + name),
    async clear() {
      for (const name of await list()) await checkpoint.remove(prefix + name);
    },
  };
}
