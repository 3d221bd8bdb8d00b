// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.StoreType;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each provider adds a store and its settings without affecting others. */
class CallContextStoreProviderTest {

  static List<StoreType> stores() {
    return StoreType.all();
  }

  @ParameterizedTest
  @MethodSource("stores")
  void storeHasProvider(StoreType store) {
    assertThat(store).isInstanceOf(CallContextStoreProvider.class);
    assertThat(store.name()).matches("[a-z0-9]+");
  }

  @ParameterizedTest
  @MethodSource("stores")
  void settingsNameTheirStore(StoreType store) {
    assertThat(store.settings())
        .allSatisfy(
            setting -> {
              assertThat(setting.key()).startsWith("callcontext." + store.name() + "-");
              assertThat(setting.documentation()).startsWith("For " + store.name() + ": ");
            });
    assertThat(Setting.all()).containsAll(store.settings());
  }

  @Test
  void namesAndKeysAreUnique() {
    assertThat(stores()).extracting(StoreType::name).doesNotHaveDuplicates();
    assertThat(Setting.all()).extracting(Setting::key).doesNotHaveDuplicates();
  }
}
