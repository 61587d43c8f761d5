// A work's points, one after the other.

import type { Loader } from './load/load.js';
import { measurePoint } from './measure-point.js';
import type { PointResult } from './report/result.js';
import { onStage } from './stage.js';
import { pointName, requestsAt, type Point, type Work } from './works/work.js';

export interface WorkTask {
  readonly work: Work;
  readonly points: readonly Point[];
  readonly repetitions: number;
  readonly loader: Loader;
}

/** A point that fails is told as failed, and the others are measured all the same. */
export async function measureWork(
  { work, points, repetitions, loader }: WorkTask,
  tell: (result: PointResult) => void,
): Promise<PointResult[]> {
  const results: PointResult[] = [];
  await onStage(work, loader, async (stage) => {
    for (const point of points) {
      const { name, title } = work;
      const about = { work: name, title, point: pointName(point) };
      const requests = requestsAt(work, point);
      let result: PointResult;
      try {
        const figures = await measurePoint(stage, point, repetitions);
        result = { ...about, requests, figures };
      } catch (error) {
        result = { ...about, requests, error: (error as Error).message };
      }
      results.push(result);
      tell(result);
    }
  });
  return results;
}
