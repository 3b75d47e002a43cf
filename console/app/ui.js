// The parts that pages are made of: buttons, fields, dialogs, menus, empty and waiting states.

import { classes, html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { inFull, when } from './format.js';
import { Icon } from './icons.js';
import { hasMoved } from './router.js';

/** @param {any} props */
export function Button({ kind = 'plain', icon, label, children, ...rest }) {
  const named = label ? { 'aria-label': label, title: label } : {};
  return html`<button type="button" class=${classes('button', `button-${kind}`, label && !children && 'button-icon')} ...${named} ...${rest}>
    ${icon && html`<${Icon} name=${icon} />`}${children}
  </button>`;
}

/** A field with its name, and under it what is wrong with it. @param {any} props */
export function Field({ label, name, hint, problem, ...rest }) {
  const id = `field-${name}`;
  const described = classes(hint && `${id}-hint`, problem && `${id}-problem`);
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input id=${id} name=${name} aria-describedby=${described} aria-invalid=${problem ? 'true' : undefined} ...${rest} />
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${problem && html`<p class="wrong" id=${`${id}-problem`}>${problem}</p>`}
  </div>`;
}

/** A time in the person's zone; the whole of it when pointed at. @param {{at: string}} props */
export function Time({ at }) {
  return html`<time datetime=${at} title=${inFull(at)}>${when(at)}</time>`;
}

/** Something is under way, in words. @param {{children: any}} props */
export function Busy({ children }) {
  return html`<p class="busy" role="status"><span class="busy-dots" aria-hidden="true"><i></i><i></i><i></i></span>${children}</p>`;
}

/** There is nothing yet, and what to do about it. @param {{title: string, children?: any}} props */
export function Empty({ title, children }) {
  return html`<div class="empty">
    <svg class="empty-stave" width="120" height="44" viewBox="0 0 120 44" aria-hidden="true">
      <path d="M0 6h120M0 14h120M0 22h120M0 30h120M0 38h120" />
      <path class="empty-rest" d="M54 14h12v5H54z" />
    </svg>
    <h2>${title}</h2>
    ${children}
  </div>`;
}

/** What went wrong, and another try. @param {{problem: any, again?: () => void}} props */
export function Trouble({ problem, again }) {
  return html`<div class="trouble" role="alert">
    <p>${problem.message}</p>
    ${problem.requestId && html`<p class="hint">Request <code>${problem.requestId}</code></p>`}
    ${again && html`<${Button} icon="again" onClick=${again}>Try again</${Button}>`}
  </div>`;
}

/** How something stands, as a word with a colour. @param {{status: string, children?: any}} props */
export function Badge({ status, children }) {
  return html`<span class=${`badge badge-${status}`}>${children ?? status.replaceAll('_', ' ')}</span>`;
}

/** A modal dialog. Escape and its own buttons close it. @param {{title: string, onClose: () => void, children: any}} props */
export function Dialog({ title, onClose, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => dialog.current?.showModal(), []);
  const outside = (/** @type {MouseEvent} */ event) => event.target === dialog.current && onClose();
  return html`<dialog ref=${dialog} class="dialog" aria-label=${title} onClose=${onClose} onClick=${outside}>
    <div class="dialog-body">
      <h2>${title}</h2>
      ${children}
    </div>
  </dialog>`;
}

/** Asks before something that cannot be taken back. @param {any} props */
export function Confirm({ title, children, verb, onConfirm, onClose }) {
  return html`<${Dialog} title=${title} onClose=${onClose}>
    ${children}
    <div class="row row-end">
      <${Button} onClick=${onClose}>Leave it</${Button}>
      <${Button} kind="danger" onClick=${onConfirm}>${verb}</${Button}>
    </div>
  </${Dialog}>`;
}

/** Asks for one line of text. @param {any} props */
export function Ask({ title, label, value, verb, onDone, onClose, maxlength }) {
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    onDone(String(new FormData(form).get('text')).trim());
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form onSubmit=${submit}>
      <${Field} name="text" label=${label} defaultValue=${value} required autofocus maxlength=${maxlength} />
      <div class="row row-end">
        <${Button} onClick=${onClose}>Leave it</${Button}>
        <${Button} kind="primary" type="submit">${verb}</${Button}>
      </div>
    </form>
  </${Dialog}>`;
}

/**
 * A button with a list of things to do. Arrows move in it, Escape closes it.
 * @param {{label: string, icon?: string, items: ({name: string, icon?: string, onClick: () => void, isDanger?: boolean} | false)[]}} props
 */
export function Menu({ label, icon = 'more', items }) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const buttons = () => [...(place.current?.querySelectorAll('[role=menuitem]') ?? [])].map((item) => /** @type {HTMLElement} */ (item));
  // Before the next key is pressed, however fast it comes.
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    buttons()[0]?.focus();
    const away = (/** @type {Event} */ event) => !place.current?.contains(/** @type {Node} */ (event.target)) && setOpen(false);
    document.addEventListener('pointerdown', away);
    return () => document.removeEventListener('pointerdown', away);
  }, [isOpen]);
  const close = () => {
    setOpen(false);
    place.current?.querySelector('button')?.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (!isOpen) return;
    const all = buttons();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) all[(at + step + all.length) % all.length]?.focus();
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="menu" ref=${place} onKeyDown=${onKeyDown}>
    <${Button} kind="quiet" icon=${icon} label=${label} aria-haspopup="menu" aria-expanded=${String(isOpen)} onClick=${() => setOpen(!isOpen)} />
    ${isOpen &&
    html`<div class="menu-items" role="menu" aria-label=${label}>
      ${items.filter(Boolean).map((item) => item && html`<button type="button" role="menuitem" tabindex="-1" class=${classes('menu-item', item.isDanger && 'menu-item-danger')}
        onClick=${() => (close(), item.onClick())}>${item.icon && html`<${Icon} name=${item.icon} />`}${item.name}</button>`)}
    </div>`}
  </div>`;
}

/** What a page is called, said in its heading, the tab and to screen readers. @param {{title: string, children?: any, lead?: any}} props */
export function PageHead({ title, children, lead }) {
  useTitle(title);
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  // The page that was opened says itself; one that was gone to is said by its heading.
  useEffect(() => void (hasMoved() && heading.current?.focus()), []);
  return html`<header class="page-head">
    <div><h1 tabindex="-1" ref=${heading}>${title}</h1>${lead && html`<p class="lead">${lead}</p>`}</div>
    ${children && html`<div class="row">${children}</div>`}
  </header>`;
}

/** @param {string} title */
export function useTitle(title) {
  useEffect(() => {
    document.title = title ? `${title} · Symphainy` : 'Symphainy';
  }, [title]);
}
