/** Thrown when a function cannot be recorded. It could be because it reads the value of a tensor, or uses one that is neither input nor made within. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
}
