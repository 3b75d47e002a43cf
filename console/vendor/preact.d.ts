// The part of Preact that the console uses, for checking its types.
export declare const Fragment: any;
export declare function h(type: any, props: any, ...children: any[]): any;
export declare function render(view: any, parent: Element): void;
export declare function createContext<T>(value: T): any;
