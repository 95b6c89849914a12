import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../../runtime/server/connection.ts';
import { findPlace } from '../../../runtime/server/place.ts';
import { type Certificates, canMakeCertificates, makeCertificates } from '../../fixtures/certificates.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'epochal-test-'));
let certificates: Certificates;
const file = (name: string, text: string): string => {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  return place;
};

beforeAll(() => {
  if (canMakeCertificates) certificates = makeCertificates(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(canMakeCertificates)('a Temporal server of one’s own', () => {
  test('is none without a word of it, whatever else the environment says', () => {
    expect(findPlace({}, { TEMPORAL_BIN: '/bin/temporal', HOME: folder })).toBeUndefined();
  });

  test('is named by options, by the environment and by a profile, in this order', () => {
    const profiles = file(
      'temporal.toml',
      [
        '[profile.lab]',
        'address = "lab.example:7233"',
        'namespace = "noise"',
        'api_key = "of the file"',
        '[profile.lab.tls]',
        `server_ca_cert_path = "${certificates.ca}"`,
        '[profile.lab.grpc_meta]',
        'team = "sgd"',
      ].join('\n'),
    );
    const environment = { TEMPORAL_CONFIG_FILE: profiles, TEMPORAL_PROFILE: 'lab' };
    const ca = readFileSync(certificates.ca, 'utf8');
    expect(findPlace({}, environment)).toEqual({
      ...{ address: 'lab.example:7233', namespace: 'noise', apiKey: 'of the file' },
      ...{ tls: { ca }, headers: { team: 'sgd' }, hides: true },
    });
    expect(findPlace({ profile: 'lab' }, { TEMPORAL_CONFIG_FILE: profiles })).toEqual(
      findPlace({}, environment),
    );
    const more = { ...environment, TEMPORAL_NAMESPACE: 'other', TEMPORAL_API_KEY: 'of the environment' };
    expect(findPlace({}, more)).toMatchObject({ namespace: 'other', apiKey: 'of the environment' });
    const words = {
      address: '127.0.0.1:1',
      namespace: 'mine',
      apiKeyFile: file('api-key', 'of the option\n'),
    };
    expect(findPlace(words, more)).toMatchObject({
      ...{ address: '127.0.0.1:1', namespace: 'mine', apiKey: 'of the option' },
    });
  });

  test('of the profile file is not taken unless it is asked for', () => {
    const home = path.join(folder, 'home');
    const environment = { HOME: home, XDG_CONFIG_HOME: home };
    expect(findPlace({}, environment)).toBeUndefined();
    expect(() => findPlace({ profile: 'nowhere' }, environment)).toThrow(/profile nowhere .* cannot be read/);
  });

  test('speaks TLS if it is told to, or has an API key', () => {
    const address = 'a.example:7233';
    expect(findPlace({ address }, {})).toEqual({ address, namespace: 'default', hides: true });
    expect(findPlace({ address, tls: true }, {})?.tls).toEqual({});
    expect(findPlace({ address }, { TEMPORAL_API_KEY: 'k' })?.tls).toEqual({});
    const { certificate, key } = certificates.client;
    const words = { address, tlsCertPath: certificate, tlsKeyPath: key, tlsServerName: 'b.example' };
    expect(findPlace(words, {})?.tls).toEqual({
      serverName: 'b.example',
      client: { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') },
    });
    expect(
      findPlace({}, { TEMPORAL_ADDRESS: address, TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.ca })?.tls
        ?.ca,
    ).toMatch(/BEGIN CERTIFICATE/);
  });

  test.each([
    [{ address: 'nowhere' }, /address nowhere is none/, /HOST:PORT/],
    [{ namespace: 'noise' }, /--namespace is for a Temporal server of your own/, /--address/],
    [{ tlsCaPath: 'ca.pem' }, /--tls-ca-path is for/, /--address/],
    [
      { address: 'a:1', tlsCaPath: '/nowhere/ca.pem' },
      /--tls-ca-path names, cannot be read \(ENOENT\)/,
      /path/,
    ],
    [{ address: 'a:1', tlsCaPath: import.meta.filename }, /no PEM file/, /BEGIN/],
    [{ address: 'a:1', apiKeyFile: '/nowhere/key' }, /--api-key-file names, cannot be read/, /path/],
  ])('that is not named as it should be is refused: %j', (words, message, cure) => {
    expect(() => findPlace(words, {})).toThrow(
      expect.objectContaining({ message: expect.stringMatching(message), cure: expect.stringMatching(cure) }),
    );
  });

  test('reads nothing of what goes through it unless it is to', () => {
    const words = { address: 'a:1' };
    expect(findPlace(words, { EPOCHAL_PAYLOADS: 'readable' })?.hides).toBe(false);
    expect(findPlace(words, { EPOCHAL_PAYLOADS: 'encrypted' })?.hides).toBe(true);
    expect(() => findPlace(words, { EPOCHAL_PAYLOADS: 'yes' })).toThrow(/EPOCHAL_PAYLOADS is yes/);
  });

  test('needs the key of a client certificate', () => {
    expect(() => findPlace({ address: 'a:1', tlsCertPath: certificates.client.certificate }, {})).toThrow(
      /only the certificate is given/,
    );
  });
});

describe.runIf(canMakeCertificates)('a connection', () => {
  let server: Http2SecureServer;
  const seen: (string | undefined)[] = [];
  beforeAll(async () => {
    const { certificate, key } = certificates.server;
    server = createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) });
    server.on('stream', (stream, headers) => {
      seen.push(headers.authorization);
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '16' },
        { endStream: true },
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => void server.close());

  test('shows the API key, under TLS, and says what to look at where it is turned away', async () => {
    const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
    const place = findPlace({ address, tlsCaPath: certificates.ca }, { TEMPORAL_API_KEY: 'open sesame' })!;
    await expect(connect(place)).rejects.toMatchObject({
      message: expect.stringContaining(`No Temporal server answers at ${address}`),
      cure: expect.stringMatching(/certificates .*API key/),
    });
    expect(new Set(seen)).toEqual(new Set(['Bearer open sesame']));
    // A server whose certificate nobody vouches for is not told the key.
    seen.length = 0;
    const { tls: _, ...unsure } = place;
    await expect(connect({ ...unsure, tls: {} }, { connectTimeoutMs: 2000 })).rejects.toThrow(
      /No Temporal server/,
    );
    expect(seen).toEqual([]);
  });
});
