import { createServer } from 'node:net';
import type { Gpu } from '../../compute/gpus.ts';

/** Takes a GPU for this process: gives what releases it, or undefined while another process of this machine has it. */
export type LockGpu = (gpu: Gpu) => Promise<(() => Promise<void>) | undefined>;

/**
 * The lock is a socket in Linux' abstract namespace, named for the place of the GPU: the kernel gives the name to one process of whatever user, and takes it back when that
 * has ended, however it did. A file would outlive a killed holder, and belong to its user. Containers with networks of their own do not see each other's.
 */
export const lockGpu: LockGpu = ({ address, name }) =>
  new Promise((resolve, reject) => {
    const server = createServer((visitor) => visitor.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(`\0epochal-gpu-${address ?? name}`, () => {
      server.unref();
      resolve(() => new Promise((released) => server.close(() => released())));
    });
  });
