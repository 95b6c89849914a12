import { Connection } from '@temporalio/client';
import { EnvironmentError } from '../artifacts/errors.ts';

/** A proxy that the environment names is for other machines: it could not reach this one under that name. */
function isLoopback(address: string): boolean {
  return /^(127(\.\d+){3}|localhost|\[::1\]):\d+$/.test(address);
}

/** Connects to a Temporal server. Throws {@link EnvironmentError} if none answers at `address` in time. */
export async function connect(address: string, { connectTimeoutMs = 10_000 } = {}): Promise<Connection> {
  try {
    return await Connection.connect({
      address,
      connectTimeout: connectTimeoutMs,
      ...(isLoopback(address) ? { channelArgs: { 'grpc.enable_http_proxy': 0 } } : {}),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EnvironmentError(
      `No Temporal server answers at ${address} (${reason}).`,
      'Check the address, or leave it out: then Epochal starts a server of its own.',
    );
  }
}
