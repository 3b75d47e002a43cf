// Small drawings, all of one stroke width. They stand beside words and say nothing that the words do not.

import { html } from './html.js';

/** @type {Record<string, string>} */
const PATHS = {
  plus: 'M12 5v14M5 12h14',
  conversation: 'M4 5h16v11H9l-5 4z',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  execution: 'M4 6h6M4 12h10M4 18h16M17 6h3M18 12h2',
  agent: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c1-5 4-7 8-7s7 2 8 7',
  settings: 'M4 7h10M18 7h2M4 17h2M10 17h10M14 4.5v5M8 14.5v5',
  overview: 'M4 20V10M10 20V4M16 20v-7M21 20H3',
  send: 'M12 19V5M6 11l6-6 6 6',
  stop: 'M7 7h10v10H7z',
  clip: 'M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.4 3.4 0 0 1 5 5l-8.5 8.5a1.7 1.7 0 0 1-2.5-2.5L15 7',
  menu: 'M4 7h16M4 12h16M4 17h16',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4',
  again: 'M4 12a8 8 0 1 1 2.5 5.8M4 20v-5h5',
  edit: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13',
  down: 'M6 10l6 6 6-6',
  right: 'M9 6l6 6-6 6',
  download: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  leave: 'M14 4h5v16h-5M4 12h10M10 8l4 4-4 4',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  fork: 'M7 4v6a5 5 0 0 0 5 5h5M7 4v16M14 11l4 4-4 4',
};

/** @param {{name: string, size?: number}} props */
export function Icon({ name, size = 18 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true">
    <path d=${PATHS[name]} />
  </svg>`;
}

/** The fermata: hold here until somebody gives the sign. It stands for approvals. @param {{size?: number}} props */
export function Fermata({ size = 22 }) {
  return html`<svg class="fermata" width=${size} height=${size} viewBox="0 0 24 24" aria-hidden="true">
    <path d="M3 16a9 9 0 0 1 18 0" />
    <circle cx="12" cy="15" r="1.6" />
  </svg>`;
}

/** The mark of the house: notes of several voices on one line. */
export function Mark() {
  return html`<svg class="mark" width="26" height="26" viewBox="0 0 26 26" aria-hidden="true">
    <path class="mark-stave" d="M2 7h22M2 13h22M2 19h22" />
    <ellipse class="voice-guide" cx="7" cy="16" rx="3.6" ry="2.7" transform="rotate(-20 7 16)" />
    <ellipse class="voice-insights" cx="13.5" cy="10" rx="3.6" ry="2.7" transform="rotate(-20 13.5 10)" />
    <ellipse class="voice-content" cx="20" cy="13" rx="3.6" ry="2.7" transform="rotate(-20 20 13)" />
  </svg>`;
}

/** The head of a note: full while it sounds, hollow for what is beside the melody. @param {{hollow?: boolean}} props */
export function Note({ hollow = false }) {
  return html`<svg class=${hollow ? 'note note-hollow' : 'note'} width="14" height="12" viewBox="0 0 14 12" aria-hidden="true">
    <ellipse cx="7" cy="6" rx="5.2" ry="4" transform="rotate(-20 7 6)" />
  </svg>`;
}
