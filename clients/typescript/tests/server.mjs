// A real server for the tests, on a free port, with a data folder of its own.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const READY_MS = 20_000;

export function findBinary() {
  const built = ['release', 'debug'].map((profile) => join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), profile, 'symphainy'));
  return [process.env.SYMPHAINY_BIN, ...built].find((place) => place && existsSync(place));
}

export class Server {
  constructor(settings = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'symphainy-client-'));
    this.listen = '127.0.0.1:0';
    this.settings = { SYMPHAINY__LIMITS__REGISTER: '1000/1s', SYMPHAINY__LIMITS__LOGIN: '1000/1s', ...settings };
  }

  async start() {
    const args = ['serve', '--listen', this.listen, '--data-dir', join(this.folder, 'data')];
    const env = { ...process.env, ...this.settings };
    this.process = spawn(findBinary(), args, { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'ignore'] });
    this.address = await new Promise((resolve, reject) => {
      let said = '';
      const late = setTimeout(() => reject(new Error(`The server did not say where it listens:\n${said}`)), READY_MS);
      this.process.once('exit', (code) => reject(new Error(`The server ended with ${code}:\n${said}`)));
      this.process.stdout.on('data', (bytes) => {
        said += bytes;
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
        if (!found) return;
        clearTimeout(late);
        resolve(found[0]);
      });
    });
    this.listen = this.address.slice('http://'.length);
    return this;
  }

  kill() {
    return new Promise((resolve) => {
      this.process.removeAllListeners('exit');
      this.process.once('exit', resolve);
      this.process.kill('SIGKILL');
    });
  }

  async stop() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
