/** What the user says of a server of their own. */
export interface PlaceWords {
  readonly address?: string;
  readonly namespace?: string;
  /** In the profile file of Temporal's own tools. */
  readonly profile?: string;
  readonly apiKeyFile?: string;
  /** With the certificates that the system trusts. */
  readonly tls?: boolean;
  readonly tlsCaPath?: string;
  readonly tlsCertPath?: string;
  readonly tlsKeyPath?: string;
  readonly tlsServerName?: string;
}

/** The option of the command line that says this. */
export function optionOf(word: string): string {
  return `--${word.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Whether the words, or the environment, say anything of a server. */
export function areAny(words: PlaceWords, environment: NodeJS.ProcessEnv): boolean {
  const ofServer = (name: string): boolean => name.startsWith('TEMPORAL_') && name !== 'TEMPORAL_BIN';
  return (
    Object.values(words).some((word) => word !== undefined) ||
    Object.entries(environment).some(([name, value]) => ofServer(name) && value !== '')
  );
}
