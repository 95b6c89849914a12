/** The modules of OpenTelemetry, and what the SDK of Temporal has for it. */
export interface OpenTelemetry {
  readonly api: typeof import('@opentelemetry/api');
  readonly sdk: typeof import('@opentelemetry/sdk-trace-base');
  readonly core: typeof import('@opentelemetry/core');
  readonly resources: typeof import('@opentelemetry/resources');
  readonly contexts: typeof import('@opentelemetry/context-async-hooks');
  readonly exporter: typeof import('@opentelemetry/exporter-trace-otlp-proto');
  readonly clients: typeof import('@temporalio/interceptors-opentelemetry/lib/client/index.js');
  readonly workers: typeof import('@temporalio/interceptors-opentelemetry/lib/worker/index.js');
}

/** The packages of OpenTelemetry, which take a tenth of a second; undefined, after a word to `warn`, if one is not installed: they are optional. */
export async function loadOpenTelemetry(warn: (text: string) => void): Promise<OpenTelemetry | undefined> {
  try {
    const [api, sdk, core, resources, contexts, exporter, clients, workers] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/core'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/context-async-hooks'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      // What the whole package loads besides is another version of OpenTelemetry, for workflows.
      import('@temporalio/interceptors-opentelemetry/lib/client/index.js'),
      import('@temporalio/interceptors-opentelemetry/lib/worker/index.js'),
    ]);
    return { api, sdk, core, resources, contexts, exporter, clients, workers };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(code)) throw error;
    warn(
      'There are no traces, although OTEL_EXPORTER_OTLP_ENDPOINT asks for them: the packages of OpenTelemetry are not installed. Install Epochal with its optional packages (npm install --include=optional).',
    );
    return undefined;
  }
}
