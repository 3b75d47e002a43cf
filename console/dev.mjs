// Serves the console from this folder, as it is now, and passes everything else on to a running server:
//
//   symphainy serve &
//   node console/dev.mjs [PORT] [SERVER]      default: 8100 http://127.0.0.1:8000
//
// The binary serves the same files from within itself; this is for changing them without building it.

import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { dirname, extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');
const port = Number(process.argv[2] ?? 8100);
const server = new URL(process.argv[3] ?? 'http://127.0.0.1:8000');

const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.html': 'text/html' };
const PREFIX = '/console/dev/';

/** The file that is meant, or nothing: the console's and the client's are served, by their paths in the repository. */
function fileOf(path) {
  if (!path.startsWith(PREFIX)) return null;
  const relative = normalize(decodeURIComponent(path.slice(PREFIX.length)));
  const isServed = ['console', join('clients', 'typescript', 'src')].some((folder) => relative.startsWith(folder + sep));
  return isServed ? join(root, relative) : null;
}

/** Passes a request on, and gives the answer's head a chance to be changed. */
function pass(request, response, headers = request.headers) {
  const { hostname, port } = server;
  const onward = http.request({ hostname, port, path: request.url, method: request.method, headers }, (answer) => {
    const isPage = request.method === 'GET' && answer.headers['content-security-policy']?.includes('trusted-types');
    if (!isPage) {
      response.writeHead(answer.statusCode, answer.headers);
      return answer.pipe(response);
    }
    // The server's own document and policy, with our files in it.
    answer.resume();
    readFile(join(here, 'index.html'), 'utf8').then((html) => {
      const { etag, 'content-length': _, ...kept } = answer.headers;
      response.writeHead(200, kept);
      response.end(html.replaceAll('{build}', 'dev'));
    });
  });
  onward.on('error', () => response.writeHead(502).end('The server does not answer.\n'));
  request.pipe(onward);
}

const proxy = http.createServer(async (request, response) => {
  const file = fileOf(new URL(request.url, 'http://localhost').pathname);
  if (!file) return pass(request, response, { ...request.headers, 'accept-encoding': 'identity', 'if-none-match': '' });
  try {
    const bytes = await readFile(file);
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain', 'cache-control': 'no-store' });
    response.end(bytes);
  } catch {
    response.writeHead(404).end('There is no such file.\n');
  }
});

proxy.on('upgrade', (request, socket, head) => {
  const { hostname, port } = server;
  const onward = http.request({ hostname, port, path: request.url, headers: request.headers });
  onward.on('upgrade', (answer, other, rest) => {
    const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
    if (rest.length) socket.write(rest);
    if (head.length) other.write(head);
    socket.pipe(other).pipe(socket);
    for (const one of [socket, other]) one.on('error', () => (socket.destroy(), other.destroy()));
  });
  onward.on('response', (answer) => socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n\r\n`));
  onward.on('error', () => socket.destroy());
  onward.end();
});

proxy.listen(port, '127.0.0.1', () => console.log(`The console is at http://127.0.0.1:${proxy.address().port}, its server at ${server.origin}.`));
