// The part of Preact's hooks that the console uses, for checking its types.
type Update<T> = (value: T | ((before: T) => T)) => void;
export declare function useState<T>(initial: T | (() => T)): [T, Update<T>];
export declare function useEffect(effect: () => void | (() => void), inputs?: unknown[]): void;
export declare function useLayoutEffect(effect: () => void | (() => void), inputs?: unknown[]): void;
export declare function useMemo<T>(make: () => T, inputs: unknown[]): T;
export declare function useCallback<T extends Function>(callback: T, inputs: unknown[]): T;
export declare function useRef<T>(initial: T): { current: T };
export declare function useId(): string;
