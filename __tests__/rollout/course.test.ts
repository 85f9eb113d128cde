import { describe, expect, it } from '@jest/globals'
import { type Course, type Moment, MOST_MOMENTS, withSample } from '../../src/rollout/course.ts'
import { randomFrom } from '../fixtures/random.ts'

const courseOf = (moments: readonly Moment[]): Course => moments.reduce<Course>(withSample, [])

describe('withSample', () => {
  it('keeps a moment for each change', () => {
    const moments = [
      { at: 0, available: 3, total: 3 },
      { at: 5, available: 3, total: 3 },
      { at: 9, available: 3, total: 4 },
      { at: 12, available: 2, total: 4 },
      { at: 15, available: 2, total: 4 },
    ]
    expect(courseOf(moments)).toEqual([moments[0], moments[2], moments[3]])
  })

  it('takes pods that are not counted in all', () => {
    expect(
      courseOf([
        { at: 0, available: 1 },
        { at: 1, available: 1 },
      ]),
    ).toEqual([{ at: 0, available: 1 }])
  })

  it.each(Array.from({ length: 50 }, (_, seed) => seed))(
    'stays short and keeps the ends and the extremes: %i',
    (seed) => {
      const random = randomFrom(seed)
      let at = 0
      const moments = Array.from({ length: 500 }, (): Moment => {
        at += random.below(1000)
        return { at, available: random.below(20), total: 20 + random.below(20) }
      })
      const course = courseOf(moments)
      expect(course.length).toBeLessThanOrEqual(MOST_MOMENTS)
      expect(course[0]).toEqual(moments[0])
      const [last, end] = [course.at(-1), moments.at(-1)]
      expect([last?.available, last?.total]).toEqual([end?.available, end?.total])
      expect(Math.min(...course.map(({ available }) => available))).toBe(
        Math.min(...moments.map((one) => one.available)),
      )
      expect(Math.max(...course.map(({ total }) => total ?? 0))).toBe(Math.max(...moments.map((one) => one.total ?? 0)))
      expect(course.map((one) => one.at)).toEqual(course.map((one) => one.at).toSorted((a, b) => a - b))
    },
  )

  it('that only swings between two extremes stays short, too', () => {
    const swing = Array.from({ length: 300 }, (_, index) => ({
      at: index,
      available: index % 2,
      total: 2 + (index % 2),
    }))
    expect(courseOf(swing).length).toBeLessThanOrEqual(MOST_MOMENTS)
  })
})
