/** Asks the worker of this container whether it is well: exit code 1 if not, or if it does not answer. Without `EPOCHAL_METRICS` there is nothing to ask. */
const [, port] = /(?:^|:)(\d+)$/.exec(process.env.EPOCHAL_METRICS ?? '') ?? [];
if (port !== undefined) {
  const page = process.argv[2] ?? 'health';
  const answer = await fetch(`http://127.0.0.1:${port}/${page}`, { signal: AbortSignal.timeout(8000) }).catch(
    (error) => ({ ok: false, status: error.cause?.code ?? error.name, text: async () => '' }),
  );
  if (!answer.ok) {
    console.error(`/${page}: ${answer.status} ${await answer.text()}`);
    process.exitCode = 1;
  }
}
