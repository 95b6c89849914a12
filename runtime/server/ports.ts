import { connect, createServer } from 'node:net';

const host = '127.0.0.1';

/** True for a host that only this machine can reach. */
export function isLoopback(name: string): boolean {
  return /^(127(\.\d+){3}|localhost|\[?::1\]?)$/.test(name);
}

/** True if nothing listens at this port of the loopback interface. */
export async function isFree(port: number): Promise<boolean> {
  return (await listen(port)) !== undefined;
}

/** True if something takes connections at this port of the loopback interface. Unlike `isFree`, it never stands in the way of a server that starts. */
export function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** A port that is free now; `preferred` if that one is. */
export async function findFreePort(preferred?: number): Promise<number> {
  const port = (preferred === undefined ? undefined : await listen(preferred)) ?? (await listen(0));
  if (port === undefined) throw new Error('The system has no free port left.');
  return port;
}

function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen(port, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
