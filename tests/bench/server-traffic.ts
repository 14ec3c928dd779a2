/** Bytes that the server and all pages have told each other over WebSockets so far, both ways. */
export async function serverTraffic(serverUrl: string): Promise<number> {
  const response = await fetch(`${serverUrl}/metrics`);
  if (!response.ok) throw new Error(`${serverUrl}/metrics answered ${response.status}`);
  const counters = (await response.text()).matchAll(/^tabstream_bytes_total\{[^}]*\} (\S+)$/gm);
  return [...counters].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}
