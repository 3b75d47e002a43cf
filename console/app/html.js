// The view library in one place: Preact with hooks, and htm for markup without a build step.

import { createContext, Fragment, h, render } from '../vendor/preact.js';
import htm from '../vendor/htm.js';

export * from '../vendor/hooks.js';
export { createContext, Fragment, h, render };
export const html = htm.bind(h);

/** Joins the class names that hold. @param {...(string | false | null | undefined)} names */
export const classes = (...names) => names.filter(Boolean).join(' ') || undefined;

/**
 * Renders again only where one of its properties is another one.
 * @template Props
 * @param {(props: Props) => any} component
 */
export function memo(component) {
  /** @this {any} @param {any} next */
  function shouldUpdate(next) {
    const before = this.props;
    const names = Object.keys(next);
    return names.length !== Object.keys(before).length || names.some((name) => next[name] !== before[name]);
  }
  /** @this {any} @param {any} props */
  function Memo(props) {
    this.shouldComponentUpdate = shouldUpdate;
    return h(component, props);
  }
  return Memo;
}
