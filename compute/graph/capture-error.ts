/** Thrown when a function cannot be recorded or run as a graph. It could be because it reads the value of a tensor, or gets inputs of other shapes. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
}
