/** The number in a version such as `v24.21.0` or `3.11.7`, as a list. */
export function parseVersion(text) {
  const found = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  if (found === null) throw new TypeError(`Expected a version such as 1.2.3, got ${JSON.stringify(text)}.`);
  return found.slice(1).map((part) => Number(part ?? 0));
}

/** Whether version `text` is `minimum` or newer. */
export function isAtLeast(text, minimum) {
  const have = parseVersion(text);
  const need = parseVersion(minimum);
  for (let i = 0; i < need.length; i++) if (have[i] !== need[i]) return have[i] > need[i];
  return true;
}

/** Whether this version of Node runs TypeScript files as they are, without an option. */
export function runsTypeScript(version) {
  return isAtLeast(version, '23.6.0') || (isAtLeast(version, '22.18.0') && !isAtLeast(version, '23.0.0'));
}
