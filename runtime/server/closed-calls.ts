import type { ConnectionOptions } from '@temporalio/client';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];
type Call = ReturnType<Interceptor>;

/** gRPC's CANCELLED, which is not tried again. */
const cancelled = 1;

/**
 * Ends calls on a connection that was closed as cancelled. A call that is tried again, after a pause, may find it so; gRPC would throw out of the
 * timer there, where nothing catches it, and end the program.
 */
export const cancelOnceClosed: Interceptor = (options, nextCall) => {
  try {
    return nextCall(options) as Call;
  } catch (error) {
    if (!(error instanceof Error) || !/channel has been shut down/i.test(error.message)) throw error;
    const call: Partial<Call> = {
      start(metadata, listener) {
        listener?.onReceiveMessage?.(undefined);
        listener?.onReceiveStatus?.({ code: cancelled, details: 'The connection was closed.', metadata });
      },
      sendMessage: () => undefined,
      sendMessageWithContext: () => undefined,
      startRead: () => undefined,
      halfClose: () => undefined,
      cancelWithStatus: () => undefined,
    };
    return call as Call;
  }
};
