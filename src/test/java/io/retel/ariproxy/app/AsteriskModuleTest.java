// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AsteriskModuleTest {

  private static final String HTTPS = "https://pbx.example:8089/ari";

  @TempDir private static Path folder;

  private static String caFile;

  @BeforeAll
  static void createCertificateAuthority() {
    caFile = CertificateAuthority.create(folder.resolve("ca")).certificateFile().toString();
  }

  @Test
  void readsAriCaFile() {
    assertThat(trustedCertificates(HTTPS, "")).isEqualTo(0);
    assertThat(trustedCertificates(HTTPS, caFile)).isEqualTo(1);
  }

  @Test
  void rejectsAriCaFileWithoutHttps() {
    assertThatThrownBy(() -> trustedCertificates("http://pbx.example:8088/ari", caFile))
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageStartingWith("ari.ca-file requires an https ari.url");
  }

  private static int trustedCertificates(String url, String file) {
    return AsteriskModule.trustedCertificates(
            RoutesUnderTest.settings(Map.of(Setting.ARI_URL, url, Setting.ARI_CA_FILE, file)))
        .get()
        .size();
  }
}
