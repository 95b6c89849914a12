let loaded: ReturnType<typeof load> | undefined;

/**
 * What reads and writes Arrow files, loaded at its first use: a command that only looks at records is spared a quarter of its start.
 */
export function arrowFiles(): ReturnType<typeof load> {
  loaded ??= load();
  return loaded;
}

async function load() {
  const [{ readArrow, readArrowMetadata, readMetadataOf }, { writeArrowFile }, { writeMetadata }] =
    await Promise.all([import('./arrow-reader.ts'), import('./arrow-writer.ts'), import('./metadata.ts')]);
  return { readArrow, readArrowMetadata, readMetadataOf, writeArrowFile, writeMetadata };
}
