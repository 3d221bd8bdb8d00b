package io.retel.ariproxy;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What is done before anything is taken. */
class PreparationTest {

  @Test
  void whatWaitsForItComesAfterAllSteps() {
    Queue<String> done = new ConcurrentLinkedQueue<>();
    Preparation preparation =
        new Preparation(List.of(() -> done.add("topics"), () -> done.add("memory")));
    preparation.whenDone(() -> done.add("probe"));
    preparation.start();
    Awaitility.await().until(() -> List.copyOf(done), List.of("topics", "memory", "probe")::equals);
    preparation.stop();
  }
}
