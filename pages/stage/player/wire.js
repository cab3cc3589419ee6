// What Python sends: "<page> <head as JSON>\n<body>", the body zlib-compressed JSON, or plain JSON, which starts with "{".

const PLAIN = 123; // "{" opens a body that is not compressed

export const isReadable = (body) => body[0] === PLAIN || Boolean(globalThis.DecompressionStream);

export const sameBytes = (a, b) => a?.length === b?.length && a.every((byte, i) => byte === b[i]);

export function readHead(bytes) {
  const end = bytes.indexOf(10);
  const line = new TextDecoder().decode(bytes.subarray(0, end));
  const space = line.indexOf(" ");
  return { page: line.slice(0, space), head: JSON.parse(line.slice(space + 1)), body: bytes.subarray(end + 1) };
}

// What brings the parts of a page names them in its head, each with the length of its message.
export function divided({ head, body }) {
  let from = 0;
  return new Map(head.parts.map(([name, length]) => [name, readHead(body.subarray(from, (from += length)))]));
}

export async function readBody(body) {
  if (body[0] === PLAIN) return new TextDecoder().decode(body);
  const unpacked = new Blob([body]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(unpacked).text();
}
