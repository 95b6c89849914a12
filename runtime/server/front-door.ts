import { readFileSync } from 'node:fs';
import { connect as connectTo, type Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { EnvironmentError, InputError } from '../../artifacts/errors.ts';

/** Where a server of the home is to be reached from other machines, and by whom. */
export interface FrontDoorOptions {
  /** HOST:PORT to listen at; port 0 takes a free one. */
  readonly listen: string;
  /** PEM files: certificate of this server and its key, and the certificate of who has signed those of its clients. */
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string;
}

export interface FrontDoor {
  /** HOST:PORT where it listens. */
  readonly address: string;
  close(): Promise<void>;
}

/** Opens the door to the server at this port of this machine. Throws {@link EnvironmentError} if it cannot listen there. */
export type OpenFrontDoor = (serverPort: number) => Promise<FrontDoor>;

/**
 * What lets clients in to the embedded server, which itself only listens on this machine and asks nobody who they are: over TLS, and only those with a certificate that
 * `clientCa` has signed.
 *
 * Throws {@link InputError} for files that are none.
 */
export function makeFrontDoor({ listen, certificate, key, clientCa }: FrontDoorOptions): OpenFrontDoor {
  const [, host = '', port = ''] = /^\[?([^\s\]]+?)\]?:(\d+)$/.exec(listen) ?? [];
  if (host === '' || Number(port) > 65_535)
    throw new InputError(`${listen} is nowhere to listen at.`, 'Give HOST:PORT, such as 0.0.0.0:7233.');
  const door = createDoor({ cert: readPem(certificate), key: readPem(key), ca: readPem(clientCa) });
  return async (serverPort) => {
    const open = new Set<Socket>();
    door.on('secureConnection', (socket) => forward(socket, serverPort, open));
    await listenAt(door, host, Number(port));
    const { port: bound } = door.address() as { port: number };
    return {
      address: `${host.includes(':') ? `[${host}]` : host}:${bound}`,
      async close() {
        const closed = new Promise<void>((resolve) => door.close(() => resolve()));
        for (const socket of open) socket.destroy();
        await closed;
      },
    };
  };
}

/** Passes on what comes, both ways, until one end closes. `open` holds the ends meanwhile. */
function forward(socket: TLSSocket, serverPort: number, open: Set<Socket>): void {
  const inside = connectTo(serverPort, '127.0.0.1');
  const tie = (end: Socket, other: Socket): void => {
    open.add(end);
    end.setNoDelay(true);
    end.on('error', () => other.destroy());
    end.on('close', () => {
      open.delete(end);
      other.destroy();
    });
  };
  tie(socket, inside);
  tie(inside, socket);
  socket.pipe(inside).pipe(socket);
}

function listenAt(door: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    door.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      reject(
        new EnvironmentError(
          `Nobody can listen at ${host}:${port} here (${code ?? message}).`,
          'Choose a free port of an address of this machine.',
        ),
      ),
    );
    door.listen(port, host, resolve);
  });
}

function createDoor(material: { readonly cert: string; readonly key: string; readonly ca: string }): Server {
  try {
    return createServer({
      ...material,
      ...{ requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3', ALPNProtocols: ['h2'] },
    });
  } catch (error) {
    throw new InputError(
      `The server's certificate and its key cannot be used (${error instanceof Error ? error.message : String(error)}).`,
      'Both must be PEM files, the key that of the certificate and without a pass phrase.',
    );
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
      'Check the path.',
    );
  }
}
