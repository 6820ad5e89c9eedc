import { useEffect, useImperativeHandle, useRef, useState, type ReactNode, type Ref } from 'react';
import type { PoseView } from './pose-layers.ts';
import { PoseScene, type PoseFiles } from './pose-scene.ts';

export interface CanvasHandle {
  center(): void;
  toPng(): string | null;
}

interface CanvasProps {
  readonly files: PoseFiles;
  readonly view: PoseView;
  /** What is seen, in words. */
  readonly label: string;
  readonly ref: Ref<CanvasHandle>;
}

/** The drawing itself. Loaded when a pose is first opened: 3Dmol is larger than all the rest of these pages. */
export const PoseCanvas = ({ files, view, label, ref }: CanvasProps): ReactNode => {
  const place = useRef<HTMLDivElement>(null);
  const scene = useRef<PoseScene>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const shown = useRef(view);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    try {
      const made = new PoseScene(element, files);
      scene.current = made;
      made.show(shown.current);
      return keepFitting(element, made, () => {
        scene.current = null;
      });
    } catch (error) {
      // What cannot be drawn is known only when it has been tried.
      // oxlint-disable-next-line react/set-state-in-effect
      setFailure(error instanceof Error ? error.message : String(error));
      return;
    }
  }, [files]);
  useEffect(() => {
    if (shown.current === view) return;
    shown.current = view;
    scene.current?.show(view);
  }, [view]);
  useImperativeHandle(ref, () => ({
    center: () => {
      scene.current?.center(shown.current.pose);
      scene.current?.show(shown.current);
    },
    toPng: () => scene.current?.toPng() ?? null,
  }));
  if (failure !== null) return <NoDrawing why={failure} />;
  return <div ref={place} className="pose-canvas" role="img" aria-label={label} data-pose={view.pose + 1} />;
};

/** Follows the size of its place, and the colours of the page. */
const keepFitting = (element: HTMLElement, scene: PoseScene, onEnd: () => void): (() => void) => {
  const sizes = new ResizeObserver(() => scene.resize());
  sizes.observe(element);
  const colors = new MutationObserver(() => scene.setBackground(element));
  colors.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    sizes.disconnect();
    colors.disconnect();
    scene.dispose();
    onEnd();
  };
};

const NoDrawing = ({ why }: { readonly why: string }): ReactNode => (
  <p className="notice">
    The structure cannot be drawn: {why}. The numbers below are complete, and the files can be opened in
    PyMOL, ChimeraX or any other viewer.
  </p>
);
